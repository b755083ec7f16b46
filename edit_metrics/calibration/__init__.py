"""From score columns to the raters' scale: fitted, held out by group, with a stated error; and estimates of means."""
