"""A made-up online shop with eighteen months behind it, so that every screen has something to show."""
