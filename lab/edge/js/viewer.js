// What happens between the viewer and the cache: protocol, methods, the functions, the key, the answer's headers.
import pages from './pages.js';
import policy from './policy.js';
import request from './request.js';

const HOP_BY_HOP = ['connection', 'content-length', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'];
const SAFE = ['GET', 'HEAD'];

// A browser cannot reach the loopback port over TLS, so there every viewer counts as having come over https.
function schemeOf(r) {
    return r.variables.server_addr === '127.0.0.1' ? 'https' : r.variables.scheme;
}

function event(behaviour, type, r, wanted) {
    return {
        version: '1.0',
        context: {
            distributionDomainName: behaviour.distribution.domainName,
            distributionId: behaviour.distribution.id,
            eventType: type,
            requestId: r.variables.request_id,
        },
        viewer: {ip: r.remoteAddress},
        request: wanted,
    };
}

function consoleFor(r, name) {
    function log() {
        // nginx logs errors only: its warnings tell of every large answer.
        r.error('function ' + name + ': ' + Array.prototype.slice.call(arguments).map(String).join(' '));
    }
    return {log, error: log, warn: log, info: log, debug: log};
}

function common(behaviour, r) {
    r.headersOut['Via'] = '1.1 ' + behaviour.distribution.domainName + ' (CloudFront)';
    r.headersOut['X-Amz-Cf-Id'] = r.variables.request_id;
    r.headersOut['X-Amz-Cf-Pop'] = 'LAB1-C1';
}

function fail(behaviour, r, name, reason) {
    r.error('function ' + name + ': ' + reason);
    common(behaviour, r);
    pages.send(r, 503, 'The CloudFront function associated with the CloudFront distribution is invalid or could not run.',
        name + ': ' + reason, 'FunctionExecutionError');
}

// Header lines from the event's shape: {name: [value, ...]}, without what only the server may say.
function headerLists(headers, cookies) {
    const lists = {};
    Object.keys(headers || {}).forEach(name => {
        const lower = name.toLowerCase();
        if (!HOP_BY_HOP.includes(lower) && !lower.startsWith('x-lab-') && !lower.startsWith('x-accel-')) {
            lists[lower] = request.values(headers[name]).map(value => value.replace(/[\r\n\0]+/g, ' '));
        }
    });
    const set = [];
    Object.keys(cookies || {}).forEach(name => {
        const listed = cookies[name].multiValue && cookies[name].multiValue.length ? cookies[name].multiValue : [cookies[name]];
        listed.forEach(item => set.push(name + '=' + item.value + (item.attributes ? '; ' + item.attributes : '')));
    });
    if (set.length) {
        lists['set-cookie'] = set;
    }
    return lists;
}

function writeHeaders(r, lists) {
    Object.keys(lists).forEach(name => {
        r.headersOut[name] = name === 'set-cookie' ? lists[name] : lists[name].join(', ');
    });
}

function answer(behaviour, r, made) {
    const status = Number(made.statusCode);
    if (!(status >= 200 && status <= 599)) {
        throw new Error('statusCode must be a number from 200 to 599, and is ' + made.statusCode);
    }
    const body = made.body === undefined || made.body === null ? ''
        : typeof made.body === 'string' ? made.body
            : made.body.encoding === 'base64' ? Buffer.from(made.body.data, 'base64') : String(made.body.data);
    common(behaviour, r);
    const lists = headerLists(made.headers, made.cookies);
    const location = [301, 302, 303, 307, 308].includes(status) && lists.location ? lists.location[0] : undefined;
    if (location !== undefined) {
        delete lists.location;
    }
    writeHeaders(r, lists);
    r.headersOut['X-Cache'] = 'FunctionGeneratedResponse from cloudfront';
    r.variables.lab_result = 'FunctionGeneratedResponse';
    // return() takes a redirect's text for its address.
    r.return(status, location === undefined ? body : location);
}

async function handleRequest(behaviour, make, r) {
    const scheme = schemeOf(r);
    r.variables.lab_behaviour = behaviour.pattern;
    r.variables.lab_origin = behaviour.origin.id;
    if (scheme === 'http' && behaviour.protocol !== 'allow-all') {
        common(behaviour, r);
        if (behaviour.protocol === 'https-only') {
            return pages.send(r, 403, 'This distribution answers https only.');
        }
        r.headersOut['X-Cache'] = 'Redirect from cloudfront';
        r.variables.lab_result = 'Redirect';
        return r.return(SAFE.includes(r.method) ? 301 : 307, 'https://' + r.variables.host + r.variables.request_uri);
    }
    if (!behaviour.methods.includes(r.method)) {
        common(behaviour, r);
        return pages.send(r, 403, 'This distribution is not configured to allow the HTTP request method that was used for ' +
            'this request.', r.method + ' is not among ' + behaviour.methods.join(', ') + ' of the behaviour ' + behaviour.pattern);
    }
    let wanted = request.fromViewer(r.method, r.variables.request_uri, r.rawHeadersIn);
    if (wanted.uri === '/' && behaviour.root) {
        wanted.uri = '/' + behaviour.root;
    }
    const called = behaviour.viewerRequest;
    if (called && called.broken) {
        return fail(behaviour, r, called.name, called.broken);
    }
    if (called) {
        const raw = wanted.querystring;
        wanted.querystring = request.parseQuery(raw);
        const before = JSON.stringify(wanted.querystring);
        wanted.method = r.method;
        try {
            let result = make(consoleFor(r, called.name))(event(behaviour, 'viewer-request', r, wanted));
            result = result && typeof result.then === 'function' ? await result : result;
            if (!result || typeof result !== 'object') {
                throw new Error('it returned neither a request nor a response');
            }
            if (result.statusCode !== undefined) {
                return answer(behaviour, r, result);
            }
            if (typeof result.uri !== 'string' || !result.uri.startsWith('/')) {
                throw new Error('the uri that it returned does not start with /');
            }
            wanted = {
                method: r.method,
                uri: result.uri,
                // Untouched parameters keep the viewer's spelling.
                querystring: JSON.stringify(result.querystring) === before ? raw : result.querystring,
                headers: lowerCased(result.headers),
                cookies: result.cookies,
            };
            plan(behaviour, r, wanted, scheme);
        } catch (error) {
            return fail(behaviour, r, called.name, error && error.message ? error.message : String(error));
        }
    } else {
        plan(behaviour, r, wanted, scheme);
    }
    r.internalRedirect('@' + behaviour.location);
    return undefined;
}

function lowerCased(headers) {
    const lower = {};
    Object.keys(headers || {}).forEach(name => {
        lower[name.toLowerCase()] = headers[name];
    });
    return lower;
}

function plan(behaviour, r, wanted, scheme) {
    const planned = policy.plan(behaviour, wanted, {
        ip: r.remoteAddress,
        port: r.variables.remote_port,
        scheme,
        version: r.httpVersion,
        id: r.variables.request_id,
    });
    r.variables.lab_target = planned.target;
    r.variables.lab_head = planned.head;
    r.variables.lab_key = planned.key;
}

function result(r, status) {
    if (status >= 400 || r.variables.upstream_http_x_lab_error) {
        return 'Error';
    }
    const cached = r.variables.upstream_cache_status;
    return cached === 'HIT' ? 'Hit' : cached === 'REVALIDATED' ? 'RefreshHit' : 'Miss';
}

// When an answer was stored is known from the answer itself; a revalidation does not rewrite it, so
// a greater age than the answer may have means one has happened since: then no Age is better than a wrong one.
function age(r) {
    const stored = Number(r.variables.upstream_http_x_lab_stored);
    const kept = Number(r.variables.upstream_http_x_accel_expires);
    const seconds = Math.floor(Date.now() / 1000) - stored;
    return r.variables.upstream_cache_status === 'HIT' && stored && seconds <= kept ? String(Math.max(0, seconds)) : undefined;
}

function handleResponse(behaviour, make, r) {
    const outcome = result(r, r.status);
    const seconds = age(r);
    Object.keys(r.headersOut).forEach(name => {
        if (name.toLowerCase().startsWith('x-lab-')) {
            delete r.headersOut[name];
        }
    });
    // The backend's sign that this must not be compressed.
    if (r.headersOut['Content-Encoding'] === 'identity') {
        delete r.headersOut['Content-Encoding'];
    }
    if (seconds !== undefined) {
        r.headersOut['Age'] = seconds;
    }
    r.variables.lab_result = outcome;
    common(behaviour, r);
    r.headersOut['X-Cache'] = outcome + ' from cloudfront';
    behaviour.responseHeaders.forEach(pair => {
        // The managed security policy overrides the origin in this one alone.
        if (pair[0].toLowerCase() === 'x-content-type-options' || r.headersOut[pair[0]] === undefined) {
            r.headersOut[pair[0]] = pair[1];
        }
    });
    if (behaviour.viewerResponse && r.status < 400) {
        changeResponse(behaviour, make, r);
    }
}

function changeResponse(behaviour, make, r) {
    const called = behaviour.viewerResponse;
    const headers = {};
    try {
        if (called.broken) {
            throw new Error(called.broken);
        }
        Object.keys(r.headersOut).forEach(name => {
            headers[name.toLowerCase()] = {value: String(r.headersOut[name])};
        });
        const before = Object.keys(headers);
        const told = event(behaviour, 'viewer-response', r, request.fromViewer(r.method, r.variables.request_uri, r.rawHeadersIn));
        told.request.querystring = request.parseQuery(told.request.querystring);
        told.response = {statusCode: r.status, statusDescription: '', headers, cookies: {}};
        const made = make(consoleFor(r, called.name))(told);
        if (!made || typeof made !== 'object' || typeof made.then === 'function') {
            throw new Error('it did not return a response (the lab runs viewer-response functions without async)');
        }
        const lists = headerLists(made.headers, made.cookies);
        before.filter(name => !lists[name] && !HOP_BY_HOP.includes(name)).forEach(name => {
            delete r.headersOut[name];
        });
        writeHeaders(r, lists);
        if (made.statusCode) {
            r.status = Number(made.statusCode);
        }
    } catch (error) {
        // Headers are being sent: too late for a page, not for the status.
        r.error('function ' + called.name + ': ' + (error && error.message ? error.message : String(error)));
        r.headersOut['X-Cache'] = 'FunctionExecutionError from cloudfront';
        r.status = 503;
    }
}

/** The handlers of one behaviour (see config.py for its shape); make… wrap the user's functions, or are undefined. */
function behave(behaviour, makeRequest, makeResponse) {
    return {
        request: r => handleRequest(behaviour, makeRequest, r),
        response: r => handleResponse(behaviour, makeResponse, r),
        unreachable: r => {
            common(behaviour, r);
            pages.send(r, 502, 'CloudFront could not reach the origin.', 'The origin\'s interface is gone, or is just being built.');
        },
    };
}

export default {behave};
