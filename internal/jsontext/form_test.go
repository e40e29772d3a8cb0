package jsontext

import "testing"

func TestFormWritesAnObjectInItsOrder(t *testing.T) {
	for object, want := range map[string]string{
		`{}`:                       "",
		`{"b":"x y","a":"&"}`:      "b=x+y&a=%26",
		`{"n":1.50,"t":true}`:      "n=1.50&t=true",
		`{"l":["a",1,{"x":null}]}`: "l=a&l=1&l=%7B%22x%22%3Anull%7D",
		`{"l":[],"a":null}`:        "a=null",
		`{"ä":"ü"}`:                "%C3%A4=%C3%BC",
	} {
		if got, err := Form([]byte(object)); err != nil || string(got) != want {
			t.Errorf("Form(%s) = %s, %v; want %s", object, got, err, want)
		}
	}
	if got, err := Form([]byte(`{"a":`)); err == nil {
		t.Errorf("Form of half an object gives %s", got)
	}
}
