import { expect, it } from 'vitest';
import { describeBroker, parseBrokerUrl } from './url.ts';

it.each([
  ['amqp://broker.example', 'amqp://guest@broker.example:5672/%2F'],
  ['amqp://broker.example/', 'amqp://guest@broker.example:5672/%2F'],
  ['amqp://u%40x:s%3Acret@[::1]:1234/my%2Fhost', 'amqp://u@x@[::1]:1234/my%2Fhost'],
  ['amqps://u@broker.example/htm?tlsCa=/ca.pem', 'amqps://u@broker.example:5671/htm'],
])('reads %s', (url, shown) => {
  expect(describeBroker(parseBrokerUrl(url))).toBe(shown);
});

it('takes the password from elsewhere, or from the URL', () => {
  expect(parseBrokerUrl('amqp://u:p%40@h').password).toBe('p@');
  expect(parseBrokerUrl('amqp://u:p@h', 'secret').password).toBe('secret');
});

it.each([
  ['mysql://h/x', 'must look like'],
  ['broker.example', 'must look like'],
  ['amqp://u:secret@h?heartbeat=3', 'unknown parameter heartbeat'],
  ['amqp://u:secret@h?tlsCa=/ca.pem', 'for amqps:// only'],
  ['amqp://u:secret%zz@h', 'two hex digits'],
])('says what is wrong with %s, without the password', (url, problem) => {
  expect(() => parseBrokerUrl(url)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  expect(() => parseBrokerUrl(url)).toThrow(problem);
  expect(() => parseBrokerUrl(url)).not.toThrow('secret');
});
