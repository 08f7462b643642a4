"""Every read that two screens share."""
