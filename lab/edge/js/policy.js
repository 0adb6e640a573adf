// What of a viewer's request makes the cache key, and what of it the origin sees. Pure.
import request from './request.js';

// Never passed on: they belong to one connection, or CloudFront takes or writes them itself,
// or they are the lab's own (x-lab-), with which a viewer could pretend to be the edge.
const KEPT_BACK = [
    'connection', 'content-length', 'cookie', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization',
    'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via', 'x-forwarded-for',
    'x-forwarded-proto', 'x-real-ip',
];
const KEPT_BACK_PREFIXES = ['x-lab-', 'x-amz-cf-', 'x-edge-', 'x-accel-'];
const CONDITIONAL = ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'];

function isKeptBack(name) {
    return KEPT_BACK.includes(name) || KEPT_BACK_PREFIXES.some(prefix => name.startsWith(prefix));
}

// mode: none | whitelist | allExcept | all (and their header-policy namesakes)
function chosen(mode, names, name) {
    const listed = names.includes(name);
    if (mode === 'none') {
        return false;
    }
    return mode === 'whitelist' ? listed : mode === 'allExcept' ? !listed : true;
}

function subset(map, mode, names) {
    const kept = {};
    Object.keys(map).filter(name => chosen(mode, names, name)).forEach(name => {
        kept[name] = map[name];
    });
    return kept;
}

function union(map, cache, origin) {
    return Object.assign(subset(map, cache.mode, cache.names), subset(map, origin.mode, origin.names));
}

// "" or "?…": those parameters whose names pass, in the viewer's order and spelling.
function subquery(query, passes) {
    const kept = query.split('&').filter(part => part && passes(part.split('=')[0])).join('&');
    return kept && '?' + kept.replace(/[^\x21-\x7e]+/g, text => encodeURI(text)).replace(/#/g, '%23');
}

/** The encodings that the cache policy knows, of those that the viewer accepts: "", "gzip", "br" or "br,gzip". */
function acceptEncoding(headers, cache) {
    const accepted = (headers['accept-encoding'] ? request.values(headers['accept-encoding']).join(',') : '')
        .toLowerCase().split(',').filter(part => !/;\s*q=0(\.0*)?\s*$/.test(part)).map(part => part.split(';')[0].trim());
    return [cache.brotli && 'br', cache.gzip && 'gzip'].filter(name => name && accepted.includes(name)).join(',');
}

function cookieLine(cookies) {
    const parts = [];
    Object.keys(cookies).forEach(name => request.values(cookies[name]).forEach(value => parts.push(name + '=' + value)));
    return parts.join('; ');
}

function generated(name, viewer) {
    const known = {
        'cloudfront-forwarded-proto': viewer.scheme,
        'cloudfront-viewer-address': viewer.ip + ':' + viewer.port,
        'cloudfront-viewer-http-version': viewer.version,
        'cloudfront-viewer-country': 'KR',
        'cloudfront-is-desktop-viewer': 'true',
        'cloudfront-is-mobile-viewer': 'false',
        'cloudfront-is-tablet-viewer': 'false',
        'cloudfront-is-smarttv-viewer': 'false',
    };
    return known[name];
}

// A value on a line of its own, whatever a function put into it.
function line(name, value) {
    return name + ': ' + value.replace(/[\r\n\0]+/g, ' ');
}

// Nothing that would end the request line or start the query.
function safePath(uri) {
    return uri.replace(/[^\x21-\x7e]+/g, text => encodeURI(text)).replace(/[?#]/g, sign => sign === '?' ? '%3F' : '%23');
}

/**
 * What to ask the origin's side for, and under which key the answer is kept: {target, head, key}.
 * target: path and query; head: header lines for the origin, "Host" value first; key: see lab/edge/cache.py.
 * wanted: the request in the event's shape; viewer: {ip, port, scheme, version, id}.
 */
function plan(behaviour, wanted, viewer) {
    const cache = behaviour.cache;
    const origin = behaviour.forward;
    const headers = wanted.headers || {};
    const query = request.formatQuery(wanted.querystring);
    const cookies = wanted.cookies || {};
    const custom = behaviour.customHeaders.map(pair => pair[0].toLowerCase());
    const encoding = acceptEncoding(headers, cache);
    const normalised = cache.gzip || cache.brotli;
    const has = Object.keys(headers);

    function isForwarded(name) {
        if (isKeptBack(name) || custom.includes(name) || (name === 'accept-encoding' && normalised)) {
            return false;
        }
        if (CONDITIONAL.includes(name)) {
            return !behaviour.caches;
        }
        if (cache.headerNames.includes(name) || name === 'content-type') {
            return true;
        }
        if (name === 'authorization' && !['GET', 'HEAD', 'OPTIONS'].includes(wanted.method)) {
            return true;
        }
        return chosen(origin.headers, origin.headerNames, name);
    }

    const lines = [];
    let host = behaviour.origin.host;
    let agent = 'Amazon CloudFront';
    has.forEach(name => {
        if (!/^[a-z0-9!#$%&'*+.^`|~-]+$/.test(name) || !isForwarded(name)) {
            return;
        }
        if (name === 'host') {
            host = request.values(headers[name])[0];
        } else if (name === 'user-agent') {
            agent = request.values(headers[name])[0];
        } else {
            request.values(headers[name]).forEach(value => lines.push(line(name, value)));
        }
    });
    cache.headerNames.concat(origin.headers === 'none' || origin.headers === 'allExcept' ? [] : origin.headerNames)
        .filter((name, index, all) => all.indexOf(name) === index && !has.includes(name))
        .forEach(name => {
            const value = generated(name, viewer);
            if (value !== undefined) {
                lines.push(line(name, value));
            }
        });
    const cookie = cookieLine(union(
        cookies,
        {mode: cache.cookies, names: cache.cookieNames},
        {mode: origin.cookies, names: origin.cookieNames},
    ));
    if (cookie) {
        lines.push(line('cookie', cookie));
    }
    if (normalised && encoding) {
        lines.push('accept-encoding: ' + encoding);
    }
    const before = headers['x-forwarded-for'] ? request.values(headers['x-forwarded-for']).join(', ') + ', ' : '';
    lines.push(line('user-agent', agent));
    lines.push(line('x-forwarded-for', before + viewer.ip));
    lines.push('via: ' + viewer.version + ' ' + behaviour.distribution.domainName + ' (CloudFront)');
    lines.push('x-amz-cf-id: ' + viewer.id);
    lines.push('x-lab-scheme: ' + viewer.scheme);
    behaviour.customHeaders.forEach(pair => lines.push(line(pair[0], pair[1])));

    const path = safePath(wanted.uri);
    const isKeyed = name => chosen(cache.queryStrings, cache.queryStringNames, name);
    const keyed = subquery(query, isKeyed);
    const asked = subquery(query, name => isKeyed(name) || chosen(origin.queryStrings, origin.queryStringNames, name));
    const key = [
        behaviour.distribution.id,
        path + keyed,
        behaviour.origin.id,
        encoding,
        behaviour.caches ? '' : wanted.method,
    ].concat(cache.headerNames.map(name => headers[name] ? request.values(headers[name]).join(',') : ''), [
        cookieLine(subset(cookies, cache.cookies, cache.cookieNames)),
    ]);
    return {
        target: safePath(behaviour.origin.path) + path + asked,
        head: [host.replace(/[\r\n\0]+/g, '')].concat(lines).join('\r\n'),
        key: key.map((part, index) => index === 1 ? part : encodeURIComponent(part)).join(' '),
    };
}

export default {plan, acceptEncoding};
