import { expect, test } from "vitest";
import { chooseProxy } from "./proxy-choice.ts";

const proxyUrl = "http://proxy:3128";

test.each([
  ["", "http://a.example.com/", true],
  ["example.com", "http://example.com/", false],
  ["example.com", "http://a.example.com/", false],
  ["example.com", "http://badexample.com/", true],
  [".example.com", "http://a.example.com/", false],
  [".example.com", "http://example.com/", true],
  ["*.example.com", "http://a.example.com/", false],
  ["example.com:81", "http://example.com:81/", false],
  ["example.com:81", "http://example.com/", true],
  ["*", "http://anything/", false],
  ["10.0.0.0/8", "http://10.1.2.3:9100/", false],
  ["10.0.0.0/8", "http://11.1.2.3/", true],
  ["10.0.0.0/99", "http://10.1.2.3/", true],
  ["10.1.2.3", "http://10.1.2.3/", false],
  ["10.1.2.3:80", "http://10.1.2.3/", false],
  ["fd00::/8", "http://[fd00::1]:9100/", false],
  ["fd00::1", "http://[fd00::1]/", false],
  [" a , b ", "http://b/", false],
  ["x", "http://localhost:9090/", false],
  ["x", "http://127.0.0.1:9090/", false],
  ["x", "http://[::1]:9090/", false],
])("with no_proxy %j, %s goes through the proxy: %s", (noProxy, url, expected) => {
  const chosen = chooseProxy({ proxyUrl, noProxy, proxyFromEnvironment: false }, {}, new URL(url));
  expect(chosen).toBe(expected ? proxyUrl : "");
});

test("the environment's proxies, by scheme", () => {
  const settings = { proxyUrl: "", noProxy: "", proxyFromEnvironment: true };
  const env = { HTTP_PROXY: "p:1", https_proxy: "http://s:2", NO_PROXY: "direct" };
  const choose = (url: string) => chooseProxy(settings, env, new URL(url));
  expect(choose("http://a/")).toBe("http://p:1");
  expect(choose("https://a/")).toBe("http://s:2");
  expect(choose("http://direct/")).toBe("");
  expect(choose("http://localhost/")).toBe("");
  expect(chooseProxy(settings, {}, new URL("http://a/"))).toBe("");
});

test("a proxy of the configuration without exceptions is used even for this machine", () => {
  const settings = { proxyUrl, noProxy: "", proxyFromEnvironment: false };
  expect(chooseProxy(settings, {}, new URL("http://localhost/"))).toBe(proxyUrl);
});
