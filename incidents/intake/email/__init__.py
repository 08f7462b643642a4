"""E-mail in: from a raw mail to a ticket or a comment, and the doors through which mail comes."""
