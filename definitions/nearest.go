package definitions

// Nearest returns the candidate closest to what was written, "" when none is
// close: at most a third of its characters and at most three may differ; case
// does not count.
func Nearest(written string, candidates []string) string { return nearest(written, candidates) }
