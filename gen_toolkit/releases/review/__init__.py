"""The page that a reviewer reads before saying yes: made of plain data, said in HTML and in Markdown."""
