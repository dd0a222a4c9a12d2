"""Pictures of a report: functions from data to SVG, one picture a file."""
