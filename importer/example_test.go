package importer_test

import (
	"fmt"
	"log"

	"github.com/seed-363d07a3/jwtbearer/connfile"
	"github.com/seed-363d07a3/jwtbearer/importer"
)

func ExampleCeligo() {
	const fromAPI = `{"name": "Acme", "type": "http", "http": {
		"baseURI": "https://api.acme.example/v2", "mediaType": "json",
		"unencrypted": {"issuer": "shop-1"},
		"auth": {"type": "jwtbearer", "jwt": {
			"signatureMethod": "hmac-sha256", "secret": "******",
			"payload": "{\"iss\": \"{{{connection.http.unencrypted.issuer}}}\", \"exp\": {{dateFormat \"X\" (dateAdd timestamp 300000)}}}"}},
		"rateLimit": {"limit": 200}, "_iClientId": "6203a7e4f321d800129a1b8e"}}`
	imported, err := importer.Celigo([]byte(fromAPI))
	if err != nil {
		log.Fatal(err)
	}
	file, err := connfile.Marshal(imported.Connections[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(file))
	for _, note := range imported.Notes {
		fmt.Println("#", note.Kind, note.Path)
	}
	// Output:
	// name: Acme
	// baseURI: https://api.acme.example/v2
	// mediaType: json
	// signatureMethod: HS256
	// secret: ${env:ACME_SECRET}
	// payload:
	//   iss: "{{.Fields.issuer}}"
	//   exp: "{{now 300}}"
	// fields:
	//   issuer: shop-1
	// rateLimit:
	//   interval: 200ms
	//   concurrency: 1
	// # secret http.auth.jwt.secret
	// # assumed http.rateLimit.limit
	// # dropped http._iClientId
}

func ExamplePostman() {
	const collection = `{"info": {"name": "Acme"},
		"variable": [{"key": "baseUrl", "value": "https://api.acme.example/v2"}],
		"auth": {"type": "jwt", "jwt": [
			{"key": "algorithm", "value": "HS256"}, {"key": "secret", "value": "{{jwt_secret}}"},
			{"key": "payload", "value": "{\"iat\": {{$timestamp}}, \"jti\": \"{{$guid}}\"}"}]},
		"item": [{"name": "Me", "request": {"method": "GET", "url": "{{baseUrl}}/me"}}]}`
	imported, err := importer.Postman([]byte(collection))
	if err != nil {
		log.Fatal(err)
	}
	file, err := connfile.Marshal(imported.Connections[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(file))
	// Output:
	// name: Acme
	// baseURI: https://api.acme.example/v2
	// signatureMethod: HS256
	// secret: ${env:JWT_SECRET}
	// payload:
	//   iat: "{{now}}"
	//   jti: "{{uuid}}"
	// jwtHeaders:
	//   typ: null
	// ping:
	//   relativeURI: /me
}
