"""One module a published set: its catalogue entry (`SOURCE`) and its reader (`read`)."""
