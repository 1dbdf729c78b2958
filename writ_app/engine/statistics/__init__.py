"""What counts make: intervals, what a sample proves, agreement beyond chance. Knows nothing of what is counted."""
