package expressions

// Budget bounds the work of the checks whose Env shares it. What is left of each
// is counted down; a check that finds nothing left finds no problems. It is not
// safe for concurrent use.
type Budget struct {
	// Expressions are still checked.
	Expressions int
	// Problems are still found.
	Problems int
	// Members of schemas are still looked at for types and for suggestions;
	// without any left, only names are checked.
	Members int
	// Patterns is how many instructions the regular expressions of further
	// expressions may have together.
	Patterns int
	// Stopped is asked before each expression; true: the rest is not wanted any
	// more. Nil: all is.
	Stopped func() bool
}

// Over reports whether something was left unchecked because there were too many
// expressions.
func (b *Budget) Over() bool { return b != nil && b.Expressions < 0 }

// spent takes one expression, and reports whether the check is to be left out.
func (b *Budget) spent() bool {
	if b == nil {
		return false
	}
	if b.Problems <= 0 || b.Stopped != nil && b.Stopped() {
		return true
	}
	b.Expressions--
	return b.Expressions < 0
}

func (b *Budget) found(problems int) {
	if b != nil {
		b.Problems -= problems
	}
}

// members takes so many members; false: there are not as many left.
func (b *Budget) members(n int) bool {
	if b == nil {
		return true
	}
	if b.Members < n {
		return false
	}
	b.Members -= n
	return true
}

// patterns takes n instructions of regular expressions; false: these are the
// first beyond the budget.
func (b *Budget) patterns(n int) bool {
	if b == nil || b.Patterns < 0 {
		return true
	}
	b.Patterns -= n
	return b.Patterns >= 0
}
