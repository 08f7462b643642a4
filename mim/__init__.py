"""The project. Nothing is imported here: `manage.py` reads `mim.embedded` before any package is installed."""
