package connfile_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/seed-363d07a3/jwtbearer"
	"github.com/seed-363d07a3/jwtbearer/connfile"
)

func ExampleLoad() {
	conns, err := connfile.Load("testdata/shop.yaml")
	if err != nil {
		log.Fatal(err)
	}
	client, err := jwtbearer.NewClient(conns[0])
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Mint(context.Background(), nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(conns[0].Name, conns[0].Lifetime, conns[0].Payload)
	// Output: shop 20m0s {"iss":"{{.Fields.issuer}}","aud":"https://api.example.com"}
}

// From a file to a client. What Load finds wrong is one error; the settings themselves are for NewClient to check.
func ExampleLoad_client() {
	conns, err := connfile.Load("shop.yaml")
	if err != nil {
		log.Fatal(err) // every mistake with its line, its column and a suggestion, and never a value
	}
	client, err := jwtbearer.NewClient(conns[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.BaseURI(context.Background()))
}

func ExampleParse() {
	_, err := connfile.Parse([]byte("basURI: https://api.example.com\ntimeout: 30\n"))
	fmt.Println(err)
	// Output:
	// connfile: line 1, column 1: unknown key "basURI"; did you mean "baseURI"?
	// 	basURI: …
	// connfile: line 2, column 10: timeout: is a number without a unit; write the unit, as in "30s", "1m30s" or "500ms"
}

func ExampleMarshal() {
	text, err := connfile.Marshal(&jwtbearer.Connection{
		BaseURI: "https://api.example.com", SignatureMethod: jwtbearer.HS256, Secret: "what nobody may know",
		Payload: `{"iss":"{{.Fields.issuer}}"}`, Fields: map[string]string{"issuer": "123"},
	})
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(text)
	// Output:
	// baseURI: https://api.example.com
	// signatureMethod: HS256
	// secret: "******"
	// payload:
	//   iss: "{{.Fields.issuer}}"
	// fields:
	//   issuer: "123"
}
