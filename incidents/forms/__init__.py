"""What people type on the screens, one file a screen. Rules stay in the actions."""
