import { describe, expect, it } from "vitest";
import { signV4 } from "../../../src/sink/sigv4.ts";

describe("AWS' signature", () => {
  // AWS' Signature Version 4 test suite: post-vanilla, post-x-www-form-urlencoded, post-sts-header-before, get-vanilla, get-unreserved, get-utf8.
  const key = {
    id: "AKIDEXAMPLE",
    secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    token: null,
  };
  const at = Date.parse("2015-08-30T12:36:00Z");
  const suite = {
    method: "POST",
    path: "/",
    host: "example.amazonaws.com",
    region: "us-east-1",
    service: "service",
  };
  const scope = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

  it.each([
    [{}, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
    [
      { "content-type": "application/x-www-form-urlencoded" },
      "Param1=value1",
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("is the test suite's for %j", (headers, body, names, signature) => {
    const made = signV4(key, { ...suite, headers, body }, at);
    expect(made["x-amz-date"]).toBe("20150830T123600Z");
    expect(made["authorization"]).toBe(
      `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=${names}, Signature=${signature}`,
    );
  });

  it("is the test suite's with the token of temporary credentials", () => {
    const token =
      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    const made = signV4({ ...key, token }, { ...suite, headers: {}, body: "" }, at);
    expect(made["x-amz-security-token"]).toBe(token);
    expect(made["authorization"]).toBe(
      `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead`,
    );
  });

  it.each([
    ["/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ],
    ["/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"],
    ["/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"],
  ])("is the test suite's for GET %s", (path, signature) => {
    const made = signV4(key, { ...suite, method: "GET", path, headers: {}, body: "" }, at);
    expect(made["authorization"]).toBe(
      `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });

  // "URI-encode each path segment twice", and what encodeURIComponent leaves alone, too.
  it("encodes what is sent once more", () => {
    const of = (path: string) =>
      signV4(key, { ...suite, method: "GET", path, headers: {}, body: "" }, at)["authorization"];
    expect(of("/%E1%88%B4")).not.toBe(of("/ሴ"));
    expect(new Set(["/a*", "/a(", "/a)", "/a!", "/a'"].map(of)).size).toBe(5);
  });

  it("is another at another moment", () => {
    const request = { ...suite, headers: {}, body: "" };
    const later = signV4(key, request, at + 1000);
    expect(later["x-amz-date"]).toBe("20150830T123601Z");
    expect(later["authorization"]).not.toBe(signV4(key, request, at)["authorization"]);
  });
});
