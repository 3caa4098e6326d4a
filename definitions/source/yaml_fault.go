package source

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// yamlFault is where a YAML text breaks, and what to do about it. The library
// names a line that is often one or two too early, and no column; the scan below
// finds the places that authors get wrong.
type yamlFault struct {
	at      int    // byte offset
	say     string // what is wrong and what to do, in small letters and without a full stop
	suggest string // what to write in its place; "" where that is not known
}

// brokenYAML reports why the library refused a text, at the place that is to
// blame and in our words: those of the scan, or where it found nothing those of
// yamlWords.
func brokenYAML(src []byte, err error, finds *Diagnostics) {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(said, "exceeded max depth") {
		finds.Error(LimitExceeded, &Node{}, "Lists and objects are nested too deep; flatten them")
		return
	}
	// The original is scanned, not what the library was shown, so offsets need no
	// translation.
	scan := scanYAMLFaults(src)
	f := scan.blame(said)
	if errors.Is(err, errSeveralDocuments) {
		f = &yamlFault{at: max(scan.another, 0), say: "a second document begins here; keep one"}
	}
	if f == nil {
		f = &yamlFault{at: breaksAt(src, said), say: yamlWords(said)}
		if at := scan.badCharacter(said); at >= 0 {
			f.at = at
		}
	}
	d := finds.Error(Syntax, &Node{}, "The YAML cannot be read: %s", f.say).WithSuggestion(f.suggest)
	d.Pos = &Position{offset: int32(f.at)}
}

// blame returns the fault that the library's complaint is about, nil when none is
// known: the earliest of the hard fault and those soft faults that fit what was
// said.
func (s *yamlScan) blame(said string) *yamlFault {
	best := s.hard
	// Where the complaint is of a known kind, only faults of that kind can be
	// meant.
	for _, f := range s.soft {
		fits := true
		switch rest := s.src[f.at:]; {
		case strings.Contains(said, "unknown anchor"):
			_, name, _ := strings.Cut(said, "'")
			name, _, _ = strings.Cut(name, "'")
			fits = bytes.HasPrefix(rest, []byte("*"+name))
		case strings.Contains(said, "alphabetic"):
			fits = strings.IndexByte("*&!", rest[0]) >= 0
		case strings.Contains(said, "mapping values"):
			fits = strings.IndexByte("*&!", rest[0]) < 0
		}
		if fits && (best == nil || f.at < best.at) {
			best = f
		}
	}
	return best
}

// badCharacter returns the offset of the first character that the library's error
// said is about: an escape of double-quoted text, or a control character; -1 when
// said is about neither or nothing is found.
func (s *yamlScan) badCharacter(said string) int {
	if strings.Contains(said, "control characters") {
		return bytes.IndexFunc(s.src, func(r rune) bool {
			return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85
		})
	}
	if !strings.Contains(said, "unknown escape") && !strings.Contains(said, "invalid Unicode") && !strings.Contains(said, "hexdecimal") {
		return -1
	}
	for _, span := range s.quoted {
		for i := span[0]; i+1 < span[1]; i++ {
			if s.src[i] != '\\' {
				continue
			}
			if !knownEscape(s.src[i+1 : span[1]]) {
				return i
			}
			i++
		}
	}
	return -1
}

// knownEscape reports whether a backslash and rest, which is not empty, form an
// escape of YAML 1.2. The escapes \x, \u and \U need their digits, and must not
// be half of a surrogate pair.
func knownEscape(rest []byte) bool {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[0]]
	if digits == 0 {
		return strings.IndexByte("0abt\tnvfre \"/\\N_LP\r\n", rest[0]) >= 0
	}
	if len(rest) < digits+1 {
		return false
	}
	n, err := strconv.ParseUint(string(rest[1:digits+1]), 16, 32)
	return err == nil && (n < 0xd800 || n > 0xdfff) && n <= 0x10ffff
}

// yamlWords returns our words for a complaint of the library. The order matters:
// the first entry that is contained in the complaint is used.
func yamlWords(said string) string {
	for _, w := range []struct{ theirs, ours string }{
		{"unknown escape", "a text in double quotes has an escape that YAML does not know; double the backslash, or use single quotes"},
		{"invalid Unicode", "a text in double quotes has an escape that is not a character"},
		{"hexdecimal", "an escape in double quotes needs hexadecimal digits"},
		{"control characters", "the text holds a control character; write it as an escape in double quotes"},
		{"UTF-8", "the text is not UTF-8"},
		{"invalid", "the text is not UTF-8"},
		{"incompatible YAML", "the %YAML directive names a version other than 1.1 and 1.2; remove it"},
		{"directive", "the line that begins with % is not a directive of YAML; remove it"},
		{"tag", "tags (!…) are not supported; quote the whole value"},
		{"anchor", "anchors and aliases (&, *) are not supported; write the value out"},
		{"document", "the text goes on after its end; keep one document"},
		{"mapping values", "there is a colon where no field can be; check the indentation, or quote the whole value"},
		{"':'", "a colon and a space are missing after a field name; check the indentation and the quotes"},
		{"'-'", "a list ends here, and the line is not an item of it; check the indentation"},
		{"indentation", "the indentation is not that of the lines around it"},
	} {
		if strings.Contains(said, w.theirs) {
			return w.ours
		}
	}
	return "the line does not fit what stands above it; check the indentation, the colons and the quotes"
}

// breaksAt returns the offset of the line that breaks the text: among the lines
// around the one that the library names, the first with which the text cannot be
// read up to its end. In a text of more than 64 KiB it is the named line, since
// each attempt parses the text again.
func breaksAt(src []byte, said string) int {
	named := 1
	if m := yamlLine.FindStringSubmatch(said); m != nil {
		named, _ = strconv.Atoi(m[1])
	}
	lines := NewText(src).lines
	named = min(max(named, 1), len(lines))
	at := lines[named-1]
	if len(src) <= 64<<10 { // each attempt reads the text up to the line
		// Backwards from a little behind the named line: once the text before a
		// line can be read, the line after it is to blame.
		for line := min(named+3, len(lines)); line >= max(named-2, 1); line-- {
			end := len(src)
			if line < len(lines) {
				end = lines[line]
			}
			if _, err := decodeYAML(src[:end]); err == nil {
				break
			}
			at = lines[line-1]
		}
	}
	// The column is that of the first character of the line, not of its
	// indentation.
	for at < len(src) && (src[at] == ' ' || src[at] == '\t') {
		at++
	}
	return at
}
