// Reads [{name, library, alg, kid, payload, pem | secret}] from stdin, pem being a private key, and writes {tokens: {name: token}, keys: [JWK]}:
// what each library signs, and the public half of each pem as jose writes it, with the name as its kid where it has one.
import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { exportJWK, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

const libraries = {
  jose: (payload, key, header) => new SignJWT(payload).setProtectedHeader(header).sign(key),
  jsonwebtoken: (payload, key, { alg, kid }) => jsonwebtoken.sign(payload, key, { algorithm: alg, ...(kid && { keyid: kid }) }),
};

const tokens = {};
const keys = [];
for (const { name, library, alg, kid, payload, pem, secret } of JSON.parse(await text(process.stdin))) {
  const key = pem ? createPrivateKey(pem) : createSecretKey(Buffer.from(secret, 'base64'));
  tokens[name] = await libraries[library](payload, key, { alg, typ: 'JWT', ...(kid && { kid }) });
  if (pem) {
    keys.push({ ...(await exportJWK(createPublicKey(key))), use: 'sig', alg, ...(kid && { kid }) });
  }
}
process.stdout.write(JSON.stringify({ tokens, keys }));
