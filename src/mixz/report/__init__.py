"""Numbers in, things to look at out: tables on the screen and figures on paper."""
