"""Measuring an index on queries whose right answers are known: ``trialindex eval`` without its command line."""
