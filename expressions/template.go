package expressions

// Template is a compiled JSON value whose strings may hold {{ expressions }}.
type Template struct{}
