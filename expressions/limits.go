package expressions

// The limits of one expression and of one evaluation. No text exceeds them:
// what would is refused before the parser sees it, at compilation, or ends the
// evaluation with CodeLimit or CodeLarge. They are part of what authors rely
// on: a limit may be raised, but a lower one would refuse definitions that are
// stored.
const (
	// At compilation, with CodeLimit.

	MaxSource  = 4 << 10 // bytes of an expression
	MaxDepth   = 64      // brackets, or prefix operators, inside each other
	MaxNodes   = 200     // nodes of the syntax tree
	MaxLets    = 8       // let declarations
	MaxNesting = 2       // predicates inside each other

	// During an evaluation, with CodeLarge; MaxFuel with CodeLimit.

	MaxList   = 10_000    // elements of a list that is walked or built
	MaxString = 256 << 10 // bytes of a string that is built
	MaxRead   = 8 << 20   // bytes of JSON that one evaluation decodes
	MaxBuilt  = 16 << 20  // bytes of strings that one evaluation builds
	MaxFuel   = 1_000_000 // element visits and their like, of one evaluation

	// When a result is written, with CodeLarge. A value that is small in memory may
	// hold the same part many times.

	MaxValue    = 1_000_000 // values inside one result
	MaxResult   = 16 << 20  // bytes of a computed result's JSON
	MaxRendered = 64 << 20  // bytes of a rendered template

	// Of any JSON that is read, and of any regular expression.

	maxJSONDeep = 1_000 // arrays and objects inside each other
	maxPattern  = 5_000 // instructions of a regular expression
)

// guard refuses texts that the parser should not see, which recurses for each
// bracket and each prefix operator. It counts both outside string literals and
// comments: open brackets, and prefix operators in a row. The error has CodeLimit.
func guard(source string) *Error {
	if len(source) > MaxSource {
		return failAt(CodeLimit, 1, "the expression has %d bytes; at most %d are allowed", len(source), MaxSource)
	}
	// Prefix operators may stand between brackets, -(-(-…, where the depth
	// counts; a closing bracket ends a run of them.
	depth, prefixes := 0, 0
	for s := newScan(source); s.next(); {
		switch {
		case s.opens():
			depth, prefixes = depth+1, 0
		case s.closes():
			depth, prefixes = depth-1, 0
		case s.prefixes():
			prefixes++
		default:
			prefixes = 0
		}
		if depth > MaxDepth || prefixes > MaxDepth {
			return failAt(CodeLimit, s.column(), "the expression is nested more than %d deep", MaxDepth)
		}
	}
	return nil
}
