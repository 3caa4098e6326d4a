package definitions

// Triggers returns what may start a run: the values of a workflow's trigger_type
// and of a run's trigger. Each call returns a list of its own.
func Triggers() []string { return []string{"manual", "schedule", "webhook", "api", "event"} }
