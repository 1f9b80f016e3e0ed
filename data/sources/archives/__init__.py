"""Archives that people can download, one module each: from parsed JSON to rows."""
