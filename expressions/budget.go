package expressions

// Budget bounds the work of the checks whose Env shares it, typically those of one
// definition. Each count is what is left, and is counted down; a check that finds
// nothing left finds no problems. A nil *Budget is without bounds. It is not safe
// for concurrent use.
type Budget struct {
	// Expressions is how many expressions are still checked. Below zero: at least
	// one was left out.
	Expressions int
	// Problems is how many problems are still reported. At zero or below, no
	// further expression is checked; one expression may report more than are left.
	Problems int
	// Members is how many members of schemas are still looked at, for types and for
	// suggestions; without any left, only names are checked.
	Members int
	// Patterns is how many instructions the regular expressions of further
	// expressions may have together. Below zero: the excess was reported, which
	// happens once.
	Patterns int
	// Stopped is called before each expression; true: the rest is not wanted any
	// more. Nil: all of it is.
	Stopped func() bool
}

// Over reports whether expressions were left unchecked because there were too many.
// Those left out for another reason do not count.
func (b *Budget) Over() bool { return b != nil && b.Expressions < 0 }

// spent takes one expression, and reports whether its check is to be left out.
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

// found takes the problems that a check has reported.
func (b *Budget) found(problems int) {
	if b != nil {
		b.Problems -= problems
	}
}

// members takes n members and returns true, or returns false and takes none where
// fewer than n are left.
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

// patterns takes n instructions of regular expressions. It returns false only to
// the call that exceeds the budget, so that one expression reports it and not all
// that follow.
func (b *Budget) patterns(n int) bool {
	if b == nil || b.Patterns < 0 {
		return true
	}
	b.Patterns -= n
	return b.Patterns >= 0
}
