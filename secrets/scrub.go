package secrets

// Scrub replaces every secret that this process knows, of whatever tenant, by
// *** in a text. It is for what the process prints and asks nothing of the
// store: a secret that nobody used here since the process started is not known.
// It may be called while a method of the service logs.
func (s *Service) Scrub(text string) string {
	if len(text) < window {
		return text
	}
	s.known.Range(func(_, v any) bool {
		r, ok := v.(*redactor)
		if !ok || r == nil {
			return true
		}
		if spans := r.spans([]byte(text), true); len(spans) > 0 {
			text = string(replaced([]byte(text), spans))
		}
		return true
	})
	return text
}
