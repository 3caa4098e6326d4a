package exactjson

import "bytes"

// Scanner walks the tokens of a JSON text: brackets, strings (also those that are
// names), numbers and words. Commas, colons and white space lie between them. It
// checks no syntax: of any text it yields stretches in order, never the same byte
// twice.
//
//	for s := exactjson.ScannerOf(text); s.Next(); {
//		use(s.Token())
//	}
type Scanner struct {
	text       []byte
	Start, End int // of the current token; End is exclusive
	// Depth is how many brackets are open behind the current token; negative where more
	// were closed than opened.
	Depth int
}

// ScannerOf returns a scanner before the first token of a text.
func ScannerOf(text []byte) Scanner { return Scanner{text: text} }

// Next moves to the next token; false at the end of the text.
func (s *Scanner) Next() bool {
	i := s.End
	for i < len(s.text) && between(s.text[i]) {
		i++
	}
	if s.Start = i; i >= len(s.text) {
		s.End = i
		return false
	}
	switch s.text[i] {
	case '"':
		s.End = SkipString(s.text, i)
	case '{', '[':
		s.Depth++
		s.End = i + 1
	case '}', ']':
		s.Depth--
		s.End = i + 1
	default:
		s.End = SkipWord(s.text, i)
	}
	return true
}

// Token returns the current token, a part of the text.
func (s *Scanner) Token() []byte { return s.text[s.Start:s.End] }

// IsNumber reports whether the current token begins as a number does.
func (s *Scanner) IsNumber() bool {
	c := s.text[s.Start]
	return c == '-' || c >= '0' && c <= '9'
}

// between reports whether a byte stands between tokens.
func between(c byte) bool {
	switch c {
	case ' ', '\n', '\t', '\r', ',', ':':
		return true
	}
	return false
}

// SkipSpace returns the index of the first byte from i on that is not white space.
func SkipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// SkipString returns the index behind the string that begins at i; len(text) where it
// does not end.
func SkipString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// SkipWord returns the index behind the number, true, false or null that begins at i:
// the next byte that cannot be part of one, and is at least i+1.
func SkipWord(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r', ':', '"', '[', '{':
			return i
		}
	}
	return i
}

// SkipValue returns the index behind the value that begins at i; len(text) where it
// does not end. It counts brackets and never recurses, so that no nesting is too deep
// for it.
func SkipValue(text []byte, i int) int {
	for depth := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = SkipString(text, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ' ', '\n', '\t', '\r', ',', ':': // between the members of what was opened
			i++
			continue
		default:
			i = SkipWord(text, i)
		}
		if depth <= 0 {
			return i
		}
	}
	return len(text)
}

// HoldsNUL reports whether a JSON string holds the character U+0000 as an escape.
func HoldsNUL(quoted []byte) bool {
	for i := 0; i < len(quoted); i++ {
		if quoted[i] == '\\' {
			if bytes.HasPrefix(quoted[i:], []byte(`\u0000`)) {
				return true
			}
			i++
		}
	}
	return false
}

// Parts walks the members of one object or the elements of one list, in one pass and
// without allocating. The text must be valid JSON.
//
//	for p := exactjson.PartsOf(text); p.Next(); {
//		use(p.Name, p.Value())
//	}
type Parts struct {
	text       []byte
	at         int    // before the next part
	Name       []byte // the member's name with its quotes, a part of the text; nil in a list
	Start, End int    // of the value
}

// PartsOf returns the parts of the object or list that the text begins with; none of
// any other text. White space in front is the caller's to take away.
func PartsOf(text []byte) Parts {
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return Parts{}
	}
	return Parts{text: text, at: SkipSpace(text, 1)}
}

// Next moves to the next part; false behind the last.
func (p *Parts) Next() bool {
	i := p.at
	if i >= len(p.text) || p.text[i] == '}' || p.text[i] == ']' {
		return false
	}
	if p.text[0] == '{' {
		end := SkipString(p.text, i)
		p.Name = p.text[i:end]
		i = SkipSpace(p.text, SkipSpace(p.text, end)+1) // behind the colon
	}
	p.Start, p.End = i, SkipValue(p.text, i)
	if i = SkipSpace(p.text, p.End); i < len(p.text) && p.text[i] == ',' {
		i = SkipSpace(p.text, i+1)
	}
	p.at = i
	return true
}

// Closed reports whether the walk stands at the closing bracket: behind the last part,
// of a text that does not end too early.
func (p *Parts) Closed() bool { return p.at < len(p.text) && p.text[p.at] == p.text[0]+2 }

// Value returns the value of the current part, which appending to does not change
// the text.
func (p *Parts) Value() []byte { return p.text[p.Start:p.End:p.End] }
