"""Who is on call and when, who follows whom when nobody answers, and who does what."""
