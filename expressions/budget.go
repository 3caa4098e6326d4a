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

	refused bool // members were wanted that were not left
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
		b.refused = true
		return false
	}
	b.Members -= n
	return true
}

// short reports whether some check had to do without members of schemas, so that it may
// have found less than another one would.
func (b *Budget) short() bool { return b != nil && b.refused }

// now returns what is left at present.
func (b *Budget) now() Budget {
	if b == nil {
		return Budget{}
	}
	return *b
}

// taken returns the members and the instructions that were taken since before.
func (b *Budget) taken(before Budget) (members, patterns int) {
	if b == nil {
		return 0, 0
	}
	return before.Members - b.Members, before.Patterns - b.Patterns
}

// again takes what a check took before and returns true, or returns false and takes
// nothing where less is left of either.
func (b *Budget) again(members, patterns int) bool {
	if b == nil {
		return true
	}
	if b.Members < members || b.Patterns < patterns {
		return false
	}
	b.Members -= members
	b.Patterns -= patterns
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
