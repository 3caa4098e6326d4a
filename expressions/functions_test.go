package expressions

import (
	"encoding/json"
	"testing"
)

func TestFunctions(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`trim("  a ") + trim("xxaxx", "x")`, `"aa"`},
		{`trimPrefix("abc", "a") + trimSuffix("abc", "c") + trimPrefix(" b")`, `"bcabb"`},
		{`upper("é") + lower("ÀB")`, `"Éàb"`},
		{`split("a,b,c", ",", 2)`, `["a","b,c"]`},
		{`split("", ",")`, `[""]`},
		{`split("ab", ",", 0)`, `[]`},
		{`splitAfter("a,b", ",")`, `["a,","b"]`},
		{`replace("aaa", "a", "b", 2) + replace("aaa", "a", "")`, `"bba"`},
		{`join(["a", 1, nil, true, {x: 1}], "-")`, `"a-1--true-{\"x\":1}"`},
		{`indexOf("abcb", "b") + lastIndexOf("abcb", "b")`, `4`},
		{`hasPrefix("abc", "ab") && hasSuffix("abc", "bc") && "abc" startsWith "a" && "abc" endsWith "c"`, `true`},
		{`nil contains "a" or nil matches "a" or nil startsWith "a"`, `false`},
		{`fromBase64(toBase64("héllo"))`, `"héllo"`},
		{`[urlEncode("a b&c=d/é+%20~-._"), urlEncode(""), "a b" | urlEncode()]`, `["a%20b%26c%3Dd%2F%C3%A9%2B%2520~-._","","a%20b"]`},
		{`htmlEscape("<a href=\"x\">it's & more</a>")`, `"&lt;a href=&#34;x&#34;&gt;it&#39;s &amp; more&lt;/a&gt;"`},
		{`[base64("héllo"), base64("")]`, `["aMOpbGxv",""]`},
		{`[sha256("abc"), sha256("", "base64")]`, `["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]`},
		{
			`[hmac("what do ya want for nothing?", "Jefe"), "Hi" | hmac("k", "base64"), hmac("", "", "hex")]`,
			`["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843","g0ygGccTW/8XKqNJV42yrghDYmqA2PMpr0noFuTF8+Q=","b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"]`,
		},
		{`fromJSON(toJSON({b: [1, 2.5, nil], a: "<"}))`, `{"a":"<","b":[1,2.5,null]}`},
		{`abs(-3) + abs(2.5) + abs(3)`, `8.5`},
		{`[ceil(1.2), floor(1.8), round(2.5), int(2.9), int("7"), float("2.5"), float(1), int(-2.9)]`, `[2,1,3,2,7,2.5,1,-2]`},
		{`[max(1, 2.5), min([3, [1, 2]]), mean([1, 2]), mean([]), median([3, 1, 2]), median(1, 2), median([])]`, `[2.5,1,1.5,0,2,1.5,0]`},
		{`max([])`, `null`},
		{`[bitand(6, 3), bitor(6, 3), bitxor(6, 3), bitnand(6, 3), bitnot(0), bitshl(1, 4), bitshr(-8, 1), bitushr(16, 2)]`, `[2,7,5,4,-1,16,-4,4]`},
		{`[len("héé"), len([1]), len({a: 1}), len(groupBy([1, 1], #))]`, `[3,1,1,1]`},
		{
			`map([nil, true, 1, 1.5, "s", [], {}, input.huge, input.long, duration("1s"), date("2026-01-01T00:00:00Z")], type(#))`,
			`["nil","bool","int","float","string","array","map","float","int","duration","time"]`,
		},
		{`[first([1, 2]), last([1, 2]), first([]), last(nil)]`, `[1,2,null,null]`},
		{`[get([1, 2], -1), get([1], 5), get({a: 1}, "a"), get({a: 1}, 1), get(nil, "a"), get(groupBy([1, 2], #), 2)]`, `[2,null,1,null,null,[2]]`},
		{`take([1, 2, 3], 2)`, `[1,2]`},
		{`take([1], 9)`, `[1]`},
		{`reverse([1, 2, 3])`, `[3,2,1]`},
		{`uniq([1, 1.0, "1", [1], [1], {a: 1}, {a: 1}, nil, nil])`, `[1,"1",[1],{"a":1},null]`},
		{`concat([1], [], [2, [3]])`, `[1,2,[3]]`},
		{`flatten([1, [2, [3, []]]])`, `[1,2,3]`},
		{`sort([3, 1.5, 2])`, `[1.5,2,3]`},
		{`sort(["b", "a"], "desc")`, `["b","a"]`},
		{`sortBy([{k: 2, v: "a"}, {k: 1, v: "b"}, {k: 2, v: "c"}], .k) | map(.v)`, `["b","a","c"]`},
		{`sortBy([1, 2, 3], -#, "asc")`, `[3,2,1]`},
		{`keys({b: 1, a: 2})`, `["a","b"]`},
		{`values({b: 1, a: 2})`, `[2,1]`},
		{`toPairs({b: 1, a: 2})`, `[["a",2],["b",1]]`},
		{`fromPairs([["a", 1], ["a", 2]])`, `{"a":2}`},
		{`string(1.5) + string(nil) + string([1]) + string("x") + string(duration("90s"))`, `"1.5[1]x1m30s"`},
		{`sum([1, 2.5]) + sum([]) + sum([{v: 1}], .v)`, `4.5`},
		{`duration("1h") + duration("30m") - duration("1m")`, `"1h29m0s"`},
		{`[(2 * duration("1m")).Minutes(), (duration("1m") * 1.5).Seconds(), duration("1s").Milliseconds(), duration("2h").Hours()]`, `[2,90,1000,2]`},
		{`date("2026-03-01T10:00:00Z") + duration("24h")`, `"2026-03-02T10:00:00Z"`},
		{`date("2026-03-01T10:00:00Z") - duration("24h") < date("2026-03-01T00:00:00Z")`, `true`},
		{`date("2026-07-01 12:00", "2006-01-02 15:04", "Europe/Berlin").UTC().Hour()`, `10`},
		{
			`let d = date("2026-03-04T05:06:07Z"); [d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second(), d.Weekday(), d.YearDay(), d.Unix(), d.UnixMilli()]`,
			`[2026,3,4,5,6,7,3,63,1772600767,1772600767000]`,
		},
		{
			`let a = date("2026-03-04T00:00:00Z"); let b = date("2026-03-04T01:00:00+01:00"); [a.Equal(b), a == b, a.Before(b), a.After(b), a.Sub(b), a.Add(duration("1h")), a in [b]]`,
			`[true,true,false,false,"0s","2026-03-04T01:00:00Z",true]`,
		},
		{`findIndex([1, 2], # == 2) + findLastIndex([2, 1, 2], # == 2) + findLast([1, 2, 3], # < 3)`, `5`},
		{`[none([1], # > 1), one([1, 2], # > 1), count([true, false])]`, `[true,true,1]`},
		{
			`[1 == 1.0, "a" == "a", [1, {a: nil}] == [1.0, {a: nil}], {a: 1} == {b: 1}, nil == input.none, 1 == "1", true != false, [] == nil]`,
			`[true,true,true,false,true,false,true,false]`,
		},
		{`signals`, `{"approve":{"yes":true}}`},
		{`signals["app" + "rove"].yes`, `true`},
		{`signals["no" + "ne"]`, `null`},
		{`"\u0001\r\t\\\"é" + 'x'`, `"\u0001\r\t\\\"éx"`},
		{`2 ** 3 ^ 1`, `8`},
		{`5..3`, `[]`},
		{`-0.5 + +1`, `0.5`},
		{`[7 % 3, -7 % 3, 3 - 5, 2 * 3]`, `[1,-1,-2,6]`},
		{`"héllo"[0:1]`, `"h"`},
		{`let x = input.users[0]; x.tag + x["tag"]`, `"aa"`},
		{`input.users[input.n - 4].tag`, `"b"`},
		{`input?.deep?.["a"]?.b[0]`, `10`},
		{`(input.none?.x).y ?? 1`, `1`},
		{`[1, input.none?.[input.name].c, 2]`, `[1,null,2]`},
		{`[1, input?.[input.name]?.c ?? 5, 2]`, `[1,5,2]`},
		{`[1, input.none?.Year(), date("2026-01-01T00:00:00Z")?.Year(), 2]`, `[1,null,2026,2]`},
		{`map(input.users, #?.id ?? 0)`, `[1,2,3]`},
		{`map([nil, {a: {b: 1}}], .a?.b)`, ``},
		{`map([nil, {a: {b: 1}}], #?.a?.b)`, `[null,1]`},
	} {
		if got, code := evaluate(c.source, someWorld()); string(got) != c.want {
			t.Errorf("%s\n got %s %s\nwant %s", c.source, got, code, c.want)
		}
	}
}

// Each predicate function leaves exactly one value on the library's stack,
// whether its body stops the loop or not.
func TestPredicateFunctionsLeaveOneValue(t *testing.T) {
	for name, results := range map[string][3]string{
		"all": {"true", "false", "false"}, "none": {"true", "false", "false"}, "any": {"false", "true", "true"}, "one": {"false", "true", "false"},
		"filter": {"[]", "[2]", "[1,3]"}, "map": {"[]", "[false,true,false]", "[true,false,true]"}, "count": {"0", "1", "2"},
		"find": {"null", "2", "1"}, "findIndex": {"null", "1", "0"}, "findLast": {"null", "2", "3"}, "findLastIndex": {"null", "1", "2"},
	} {
		for i, call := range []string{name + "([], # == 2)", name + "([1, 2, 3], # == 2)", name + "([1, 2, 3], # != 2)"} {
			want := "[7," + results[i] + ",[8," + results[i] + "],9]"
			if got, code := evaluate("[7, "+call+", [8, "+call+"], 9]", someWorld()); string(got) != want {
				t.Errorf("%s: got %s %s, want %s", call, got, code, want)
			}
		}
	}
}

func TestFunctionsRefuseOtherTypes(t *testing.T) {
	for _, source := range []string{
		`trim(1)`, `upper(nil)`, `split("a", 1)`, `split("a", "b", "c")`, `replace("a", "b", 1)`, `replace("a", "b", "c", "d")`,
		`join("a")`, `join(["a"], 1)`, `abs("a")`, `ceil(nil)`, `int([])`, `float({})`, `max("a")`, `median(["a"])`, `mean([nil])`, `bitand(1.5, 1)`,
		`bitor(1, "a")`, `bitnot("a")`, `take(1, 1)`, `take([1], "a")`, `first(1)`, `last("a")`, `reverse("a")`, `concat(1)`, `flatten(1)`, `sort(1)`,
		`sort([1, "a"])`, `keys([])`, `values(1)`, `fromPairs([1])`, `fromPairs([[1, 2]])`, `fromJSON(1)`, `toBase64(1)`, `urlEncode(1)`, `htmlEscape(nil)`, `base64([])`, `sha256({})`, `sha256("a", 1)`, `hmac("a", 1)`, `hmac(1, "a")`, `fromBase64(1)`, `duration(1)`,
		`date(1)`, `1 contains "a"`, `1 matches "a"`, `"a" matches 1`, `"a"..3`, `1.5..3`, `1 < "a"`, `nil < 1`, `-"a"`, `-nil`, `nil + 1`, `[1] + [2]`,
		`{} - 1`, `1 in 1`, `steps[1 + 1]`, `signals[1 + 1]`, `duration("1s").Year()`, `date("2026-01-01T00:00:00Z").Hours()`, `input.Unix()`,
		`date("2026-01-01T00:00:00Z").Format(1)`, `sum(["a"])`, `sortBy([1, "a"], #)`, `{("a" == "a"): 1}`,
	} {
		if got, code := evaluate(source, someWorld()); code != CodeType {
			t.Errorf("%s: got %q %s", source, code, got)
		}
	}
	for _, source := range []string{
		`int("x")`, `float("x")`, `int(1e30)`, `float("Inf")`, `fromBase64("?")`, `sha256("a", "octal")`, `hmac("a", "b", "")`, `duration("x")`, `take([1], -1)`, `sort([1], "up")`,
		`date("x", "2006-01-02T15:04:05Z07:00")`, `date("x", "2006", "Nowhere/Land")`, `date("x", "2006", "UTC")`, `bitshl(1, -1)`, `sortBy([1], #, "up")`,
	} {
		if got, code := evaluate(source, someWorld()); code != CodeFailed {
			t.Errorf("%s: got %q %s", source, code, got)
		}
	}
}

func TestReferencesAndPath(t *testing.T) {
	p, err := Compile(`{{ input.a + steps.x.output + steps["y-z"].status + signals.s.v + run.id + len(filter(item.list, # == index)) + steps.x.status }}`)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(p.References())
	want := `{"Names":[{"Name":"input","Column":4},{"Name":"run","Column":67},{"Name":"item","Column":87},{"Name":"index","Column":103}],` +
		`"Steps":[{"Name":"x","Column":14},{"Name":"y-z","Column":31}],"AllSteps":false,"Signals":[{"Name":"s","Column":53}],"AllSignals":false,"Secrets":null}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for source, all := range map[string]bool{
		`steps`: true, `steps[input.id]`: true, `len(steps)`: true, `steps.a`: false, `steps["a"]`: false,
		`let steps = input; steps.a`: false, `let x = 1; steps[x]`: true, `steps?.a`: false, `map(input, steps[#])`: true,
	} {
		p, err := Compile(source)
		if err != nil || p.References().AllSteps != all {
			t.Errorf("%s: %v, want AllSteps %v", source, err, all)
		}
	}
	for source, want := range map[string]string{
		`input.a.b`: `["input","a","b"]`, `{{ steps["x-y"].output.items }}`: `["steps","x-y","output","items"]`,
		`input.list[0]`: `["input","list","0"]`, `input?.a`: `null`, `input.a + 1`: `null`, `item`: `["item"]`, `input[input.x]`: `null`,
	} {
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		path, ok := p.Path()
		if got, _ := json.Marshal(path); string(got) != want || ok != (want != "null") {
			t.Errorf("%s: got %s %v", source, got, ok)
		}
	}
}
