"""The public status page: what it may say, how it is written as files, and who subscribed to it."""
