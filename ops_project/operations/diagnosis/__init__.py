"""What broke, why, where it began, and what to do first. Every statement names the evidence that it rests on."""
