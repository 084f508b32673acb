"""What broke, why, where it began, and what to do first. Every statement names its evidence."""
