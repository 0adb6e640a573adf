// A viewer's request in the shape of CloudFront Functions' event, and back. Pure.

function add(map, name, value) {
    const held = map[name];
    if (held === undefined) {
        map[name] = {value};
        return;
    }
    if (!held.multiValue) {
        held.multiValue = [{value: held.value}];
    }
    held.multiValue.push({value});
}

/** All values of one entry of headers, querystring or cookies. */
function values(entry) {
    const listed = entry.multiValue && entry.multiValue.length ? entry.multiValue : [entry];
    return listed.map(item => item.value === undefined || item.value === null ? '' : String(item.value));
}

function parseQuery(query) {
    const found = {};
    query.split('&').forEach(part => {
        if (part) {
            const equals = part.indexOf('=');
            add(found, equals < 0 ? part : part.slice(0, equals), equals < 0 ? '' : part.slice(equals + 1));
        }
    });
    return found;
}

function formatQuery(querystring) {
    if (typeof querystring === 'string') {
        return querystring;
    }
    const parts = [];
    Object.keys(querystring || {}).forEach(name => {
        values(querystring[name]).forEach(value => parts.push(name + '=' + value));
    });
    return parts.join('&');
}

function parseCookies(header) {
    const found = {};
    header.split(';').forEach(part => {
        const equals = part.indexOf('=');
        if (equals > 0) {
            add(found, part.slice(0, equals).trim(), part.slice(equals + 1).trim());
        }
    });
    return found;
}

/** querystring is the raw string; the event gets parseQuery's object. pairs: [[name, value], ...] as they came; rawUri: path and query as they came, or an absolute URI. */
function fromViewer(method, rawUri, pairs) {
    const relative = rawUri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^\/?]*/i, '') || '/';
    const mark = relative.indexOf('?');
    const headers = {};
    const cookies = [];
    pairs.forEach(pair => {
        const name = pair[0].toLowerCase();
        if (name === 'cookie') {
            cookies.push(pair[1]);
        } else {
            add(headers, name, pair[1]);
        }
    });
    const query = mark < 0 ? '' : relative.slice(mark + 1);
    const path = mark < 0 ? relative : relative.slice(0, mark);
    return {
        method,
        uri: path.startsWith('/') ? path : '/' + path,
        querystring: query,
        headers,
        cookies: parseCookies(cookies.join(';')),
    };
}

export default {fromViewer, values, parseQuery, formatQuery};
