"""Who is on call and when, who is called next if nobody answers, and who does what."""
