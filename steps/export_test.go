package steps

// Levels lists the ways to confine scripts that may be possible here.
func (r *Registry) Levels() []string {
	var names []string
	for _, level := range r.runner.levels() {
		names = append(names, level.String())
	}
	return names
}

// Force makes scripts run at one of the levels.
func (r *Registry) Force(n int) {
	level := r.runner.levels()[n]
	r.runner.found = &level
}

// RunScriptsBy makes another program prepare and supervise scripts.
func (r *Registry) RunScriptsBy(path string) { r.runner.self = path }
