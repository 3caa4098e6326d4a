package core

import (
	"heddle/executor"
	"net/http"
	"strings"
)

// TraceOf returns the W3C trace context of a request, which the run that it starts carries on. An
// invalid traceparent is ignored together with its tracestate, an invalid tracestate by itself;
// neither is an error, as the recommendation requires.
func TraceOf(r *http.Request) executor.Trace {
	parent := r.Header.Get("Traceparent")
	if parent == "" || len(r.Header.Values("Traceparent")) > 1 || !validTraceParent(parent) {
		return executor.Trace{}
	}
	return executor.Trace{Parent: parent, State: traceState(strings.Join(r.Header.Values("Tracestate"), ","))}
}

// maxTraceMembers is how many members a tracestate has at most.
const maxTraceMembers = 32

// traceState returns a tracestate as it was sent, its headers joined, or "" when
// it is not one: a list of at most 32 members key=value between commas, with
// spaces and tabs round them, no key twice, and empty members as one likes (W3C
// Trace Context, level 1, section 3.3). Where there are tabs, the members are
// joined anew.
func traceState(text string) string {
	var members []string
	keys := map[string]bool{}
	for member := range strings.SplitSeq(text, ",") {
		if member = strings.Trim(member, " \t"); member == "" {
			continue
		}
		key, value, cut := strings.Cut(member, "=")
		if !cut || !traceKey(key) || !traceValue(value) || keys[key] || len(members) == maxTraceMembers {
			return ""
		}
		keys[key] = true
		members = append(members, member)
	}
	if len(members) == 0 {
		return ""
	}
	if strings.Contains(text, "\t") {
		return strings.Join(members, ",")
	}
	return text
}

// traceKey reports whether s is a key: a lower-case letter (or, since level 2, a
// digit), then these and _ - * /, 256 in all; or a tenant of 241 and a system of 14 with @ between.
func traceKey(s string) bool {
	tenant, system, many := strings.Cut(s, "@")
	if many {
		return traceWord(tenant, 241, true) && traceWord(system, 14, false)
	}
	return traceWord(s, 256, true)
}

// traceWord reports whether s is a part of a key: 1 to most characters of those of traceKey, of
// which the first is a letter or, with digitFirst, a digit.
func traceWord(s string, most int, digitFirst bool) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		ch := s[i]
		letter, digit := ch >= 'a' && ch <= 'z', ch >= '0' && ch <= '9'
		if i == 0 && !letter && (!digit || !digitFirst) {
			return false
		}
		if !letter && !digit && strings.IndexByte("_-*/", ch) < 0 {
			return false
		}
	}
	return true
}

// traceValue reports whether s is a value: 1 to 256 printable characters but for
// comma and equals sign. A space at its end is one round the member.
func traceValue(s string) bool {
	return s != "" && len(s) <= 256 && Printable(s) && !strings.ContainsAny(s, ",=")
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
	if !lowerHex(version) || !lowerHex(trace) || !lowerHex(span) || !lowerHex(s[53:55]) || !Printable(s) {
		return false
	}
	return strings.Trim(trace, "0") != "" && strings.Trim(span, "0") != ""
}

// lowerHex reports whether s consists of hexadecimal digits in lower case.
func lowerHex(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}
