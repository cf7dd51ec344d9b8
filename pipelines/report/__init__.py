"""The report: what a corpus holds, what was thrown away and why, and how its rows look, as one HTML file.

Two audiences. The report of a release travels with it: it shows pictures and texts only of images that the release's licence profile and
image gates let out, under their public ids. The local report is for those who hold the data: it shows everything.
"""
