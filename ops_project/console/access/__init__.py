"""Who opens a page, and what that person may do."""
