package expressions

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func someEnv() Env {
	e := NewEnv()
	e.Value("input", json.RawMessage(`{"type":"object","properties":{
		"n":{"type":"integer"},"f":{"type":"number"},"name":{"type":["string","null"]},"ok":{"type":"boolean"},
		"items":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"price":{"type":"number"}}}},
		"open":{"type":"array","items":{"type":"object","properties":{"price":{"type":"number"}}}},
		"mode":{"type":["boolean","string"]},"level":{"enum":[true,"auto"]},"count":{"type":["integer","number"]},
		"any":{},"choice":{"anyOf":[{"type":"string"},{"type":"object"}]},
		"closed":{"type":"object","additionalProperties":false,"properties":{"colour":{"type":"string"}}},
		"ref":{"$ref":"#/$defs/r"}},"$defs":{"r":{"type":"object","properties":{"k":{"type":"string"}},"additionalProperties":{"type":"integer"}}}}`))
	e.Step("fetch", json.RawMessage(`{"type":"object","properties":{"status_code":{"type":"integer"}},"additionalProperties":false}`))
	e.Step("my-step", nil)
	return e.Hidden("later", "other-one")
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		source string
		want   Want
		found  string // code@column/severity initial:suggestion, joined with blanks
	}{
		{`input.n > 3`, WantBool, ``},
		{`input.n`, WantBool, `expression_type@1/e:`},
		{`{{ input.n }}`, WantBool, `expression_type@3/e:`},
		{`input.any`, WantBool, ``},
		{`input.mode == "auto" || input.level == "auto"`, WantBool, ``},
		{`input.count + "x"`, WantAny, `expression_type@13/e:`},
		{`input.n + input.name`, WantAny, `expression_type@9/e:`},
		{`input.name == nil || input.name + "x" == "yx"`, WantBool, ``},
		{`imput.n > 3`, WantBool, `unknown_reference@1/e:input`},
		{`imput.n > 3 && steps.fetsh.output.x`, WantBool, `unknown_reference@1/e:input unknown_reference@22/e:fetch`},
		{`input.nam`, WantAny, `unknown_reference@7/w:name`},
		{`input.closed.color`, WantAny, `unknown_reference@14/e:colour`},
		{`input.choice.x.y + 1`, WantAny, ``},
		{`input.ref.zzz + 1`, WantNumber, ``},
		{`input.ref.k + 1`, WantNumber, `expression_type@13/e:`},
		{`steps.fetch.outptu`, WantAny, `unknown_reference@13/e:output`},
		{`steps.fetch.output.status_cod`, WantAny, `unknown_reference@20/e:status_code`},
		{`steps.fetch.output.status_code == "200"`, WantBool, `expression_type@32/e:`},
		{`steps.later.output`, WantAny, `not_an_ancestor@7/e:`},
		{`steps.nowhere.output`, WantAny, `unknown_reference@7/e:`},
		{`steps.my-step.output.x`, WantAny, `unknown_reference@7/e:steps["my-step"]`},
		{`1 + steps.other-one.output`, WantAny, `unknown_reference@11/e:steps["other-one"]`},
		{`steps["my-step"].output.a.b`, WantAny, ``},
		{`fetch.output.status_code`, WantAny, `unknown_reference@1/e:steps.fetch`},
		{`filter(input.items, .prise > 3)`, WantItems, `unknown_reference@22/e:price`},
		{`filter(input.open, .prise > 3)`, WantItems, `unknown_reference@21/w:price`},
		{`filter(input.items, .price)`, WantItems, `expression_type@21/e:`},
		{`map(input.items, .price)`, WantItems, ``},
		{`input.n`, WantItems, ``},
		{`input.name`, WantItems, `expression_type@1/e:`},
		{`input.name`, WantTime, ``},
		{`date(input.name)`, WantTime, ``},
		{`input.ok`, WantTime, `expression_type@1/e:`},
		{`item.x`, WantAny, `unknown_reference@1/e:`},
		{`probe`, WantAny, `unknown_reference@1/e:`},
		{`secrets.A`, WantAny, `unknown_reference@1/e:`},
		{`run.idd`, WantAny, `unknown_reference@5/e:id`},
		{`signals.x?.y ?? 1`, WantAny, ``},
		{`filtre(input.items, .price > 1)`, WantAny, `unknown_reference@1/e:filter`},
		{`lenn(input.items)`, WantAny, `unknown_reference@1/e:len`},
		{`let x = input.n; x.y`, WantAny, `expression_type@20/e:`},
		{`input.n >`, WantAny, `expression_syntax@9/e:`},
		{`input.n matches "["`, WantAny, `expression_failed@17/e:`},
		{`$env["input"]`, WantAny, `unknown_reference@1/e:`},
		{``, WantAny, `expression_syntax@1/e:`},
		{`replace("a", "b")`, WantAny, `expression_type@1/e:`},
		{`sha256(input.name)`, WantBool, `expression_type@1/e:`},
		{`hmac(input.name, "k") == sha256("a", "base64")`, WantBool, ``},
		{`urlEncode(input.n)`, WantAny, `expression_type@17/e:`},
		{`hmac("a", input.ok)`, WantAny, `expression_type@17/e:`},
		{`hmac("a")`, WantAny, `expression_type@1/e:`},
		{`base64(input.nam)`, WantAny, `unknown_reference@14/w:name`},
		{`htmlEscap("a")`, WantAny, `unknown_reference@1/e:htmlEscape`},
		{`input.any | htmlEscape()`, WantAny, ``},
	} {
		var found []string
		for _, p := range Check(c.source, someEnv(), c.want) {
			found = append(found, fmt.Sprintf("%s@%d/%c:%s", p.Code, p.Column, p.Severity[0], p.Suggestion))
			t.Log(c.source, " -> ", p.Message)
		}
		if got := strings.Join(found, " "); got != c.found {
			t.Errorf("%s\n got %s\nwant %s", c.source, got, c.found)
		}
	}
}
