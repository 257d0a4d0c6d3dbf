"""From one recipe source to a notebook, a proof and a page."""
