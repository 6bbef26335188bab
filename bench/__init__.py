"""Speed, shown side by side with named peers in the same run."""
