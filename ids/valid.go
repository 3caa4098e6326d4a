package ids

// Valid reports whether v may be an id, a slug, or a version's number or label:
// 1 to 128 letters and digits of ASCII, and the characters _ - and dot.
func Valid(v string) bool {
	if v == "" || len(v) > 128 {
		return false
	}
	for i := range len(v) {
		ch := v[i]
		ok := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' ||
			ch == '_' || ch == '-' || ch == '.'
		if !ok {
			return false
		}
	}
	return true
}
