"""The `twin` command, one module a group of verbs; each verb imports what it needs when it is called."""
