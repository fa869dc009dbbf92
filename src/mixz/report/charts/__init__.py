"""Plots in Vega-Lite, drawn once for the page and for papers: every module here turns runs into panels."""
