"""What a person reads: the timeline of an execution, and a failure as one screen of text."""
