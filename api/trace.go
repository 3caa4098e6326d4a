package api

import (
	"net/http"
	"strings"

	"heddle/executor"
)

// traceOf reads the W3C trace context of a request. An invalid traceparent is
// ignored together with its tracestate, never an error.
func traceOf(r *http.Request) executor.Trace {
	parent := r.Header.Get("Traceparent")
	if parent == "" || len(r.Header.Values("Traceparent")) > 1 || !validTraceParent(parent) {
		return executor.Trace{}
	}
	state := strings.Join(r.Header.Values("Tracestate"), ",")
	if len(state) > 512 || !printable(state) {
		state = ""
	}
	return executor.Trace{Parent: parent, State: state}
}

// validTraceParent checks version-traceid-parentid-flags in lower-case hex:
// version ff and ids of zeros are invalid, and version 00 has nothing more
// (W3C Trace Context, level 1, section 3.2).
func validTraceParent(s string) bool {
	if len(s) < 55 || len(s) > 128 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	version, trace, span := s[:2], s[3:35], s[36:52]
	if version == "ff" || version == "00" && len(s) != 55 || len(s) > 55 && s[55] != '-' {
		return false
	}
	if !lowerHex(version) || !lowerHex(trace) || !lowerHex(span) || !lowerHex(s[53:55]) || !printable(s) {
		return false
	}
	return strings.Trim(trace, "0") != "" && strings.Trim(span, "0") != ""
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
