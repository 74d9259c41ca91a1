"""HTML pages that people read offline: one file, no script, no external asset, light and dark, printable."""
