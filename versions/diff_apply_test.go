package versions_test

import (
	"encoding/json"
	"heddle/fault"
	"heddle/versions"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	for name, c := range map[string]struct{ doc, patch, want string }{
		"no operations give the canonical form": {`{ "b" : 1.0, "a" : [ "\u00e9\/" ] }`, `[]`, `{"a":["é/"],"b":1.0}`},
		"add to an object":                      {`{"a":1}`, `[{"op":"add","path":"/b","value":null}]`, `{"a":1,"b":null}`},
		"add replaces a member":                 {`{"a":1}`, `[{"op":"add","path":"/a","value":2}]`, `{"a":2}`},
		"add into a list":                       {`[1,3]`, `[{"op":"add","path":"/1","value":2}]`, `[1,2,3]`},
		"add at the end":                        {`[1]`, `[{"op":"add","path":"/-","value":2},{"op":"add","path":"/2","value":3}]`, `[1,2,3]`},
		"remove":                                {`{"a":[1,2],"b":0}`, `[{"op":"remove","path":"/a/0"},{"op":"remove","path":"/b"}]`, `{"a":[2]}`},
		"replace the document":                  {`[1]`, `[{"op":"replace","path":"","value":{}}]`, `{}`},
		"add as the document":                   {`[1]`, `[{"op":"add","path":"","value":7}]`, `7`},
		"move within a list":                    {`[0,1,2]`, `[{"op":"move","from":"/2","path":"/0"}]`, `[2,0,1]`},
		"move to where it is":                   {`{"a":1}`, `[{"op":"move","from":"/a","path":"/a"}]`, `{"a":1}`},
		"copy is apart":                         {`{"a":[1]}`, `[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}]`, `{"a":[1],"b":[1,2]}`},
		"test compares numbers by value":        {`{"a":[1,{"b":1.50}]}`, `[{"op":"test","path":"/a","value":[1.0,{"b":15e-1}]}]`, `{"a":[1,{"b":1.50}]}`},
		"escaped and empty keys":                {`{"a/b":{"m~n":{"":1}}}`, `[{"op":"replace","path":"/a~1b/m~0n/","value":2}]`, `{"a/b":{"m~n":{"":2}}}`},
		"exact numbers":                         {`[9007199254740992]`, `[{"op":"replace","path":"/0","value":9007199254740993}]`, `[9007199254740993]`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := versions.Apply(json.RawMessage(c.doc), json.RawMessage(c.patch))
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	deep := strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64)
	doubling := `[{"op":"add","path":"/a","value":["0123456789abcdef"]}` + strings.Repeat(`,{"op":"copy","from":"/a","path":"/a/-"}`, 30) + `]`
	for name, c := range map[string]struct{ doc, patch, want string }{
		"no JSON":                     {`{`, `[]`, "not JSON"},
		"more text":                   {`{} {}`, `[]`, "more text"},
		"a patch that is no list":     {`{}`, `{}`, "must be a list"},
		"an operation that is none":   {`{}`, `[1]`, "Operation 0 of the patch is not an object"},
		"an unknown op":               {`{}`, `[{"op":"merge","path":""}]`, "must have op"},
		"no path":                     {`{}`, `[{"op":"remove"}]`, "has no path"},
		"no from":                     {`{}`, `[{"op":"move","path":"/a"}]`, "has no from"},
		"no value":                    {`{}`, `[{"op":"add","path":"/a"}]`, "has no value"},
		"a path without a slash":      {`{}`, `[{"op":"add","path":"a","value":1}]`, "does not begin with /"},
		"a bad escape":                {`{}`, `[{"op":"add","path":"/a~2","value":1}]`, "neither ~0 nor ~1"},
		"a member that is not there":  {`{}`, `[{"op":"remove","path":"/a"}]`, "not there"},
		"a parent that is not there":  {`{}`, `[{"op":"add","path":"/a/b","value":1}]`, "not there"},
		"replacing what is not there": {`{}`, `[{"op":"replace","path":"/a","value":1}]`, "not there"},
		"beyond the end":              {`[1]`, `[{"op":"add","path":"/2","value":1}]`, "beyond the end"},
		"at the end":                  {`[1]`, `[{"op":"remove","path":"/1"}]`, "beyond the end"},
		"the end by its sign":         {`[1]`, `[{"op":"remove","path":"/-"}]`, "not a number"},
		"a leading zero":              {`[1,2]`, `[{"op":"remove","path":"/01"}]`, "not a number"},
		"a negative place":            {`[1,2]`, `[{"op":"remove","path":"/-1"}]`, "not a number"},
		"into a scalar":               {`{"a":1}`, `[{"op":"add","path":"/a/b","value":1}]`, "neither list nor object"},
		"the whole document":          {`{}`, `[{"op":"remove","path":""}]`, "removes the whole"},
		"into itself":                 {`{"a":{}}`, `[{"op":"move","from":"/a","path":"/a/b"}]`, "into itself"},
		"a failed test":               {`{"a":9007199254740993}`, `[{"op":"test","path":"/a","value":9007199254740992}]`, "Operation 0 of the patch tests for"},
		"null against a list":         {`{"a":[null]}`, `[{"op":"test","path":"/a","value":[1]}]`, "tests for"},
		"a deep document":             {`[` + deep + `]`, `[]`, "64 deep"},
		"made deep by adding":         {`[[]]`, `[{"op":"add","path":"/0/0","value":` + deep[1:127] + `}]`, "64 deep"},
		"made deep by replacing":      {`[[1]]`, `[{"op":"replace","path":"/0/0","value":` + deep[1:127] + `}]`, "64 deep"},
		"copies of copies":            {`{}`, doubling, "copies too much"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := versions.Apply(json.RawMessage(c.doc), json.RawMessage(c.patch))
			if err == nil || fault.KindOf(err) != fault.Unacceptable || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.200s, %v; want an error with %q", got, err, c.want)
			}
		})
	}
}
