"""From signals to delivered notifications."""
