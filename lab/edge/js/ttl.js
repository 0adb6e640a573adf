// How long CloudFront keeps an answer. Pure: no nginx object comes here.

// CloudFront keeps these for at least the error caching minimum, whatever the origin says of them...
const ERRORS_ALWAYS_KEPT = [403, 404, 405, 414, 500, 501, 502, 503, 504];
const DEFAULT_ERROR_TTL = 10;

function directives(cacheControl) {
    const found = {};
    (cacheControl || '').toLowerCase().split(',').forEach(part => {
        const equals = part.indexOf('=');
        const name = (equals < 0 ? part : part.slice(0, equals)).trim();
        if (name) {
            found[name] = equals < 0 ? '' : part.slice(equals + 1).trim().replace(/^"|"$/g, '');
        }
    });
    return found;
}

// Seconds that the origin asks for (s-maxage before max-age before Expires); null when it says nothing.
function asked(control, expires, now) {
    const age = control['s-maxage'] !== undefined ? control['s-maxage'] : control['max-age'];
    if (age !== undefined) {
        return /^[0-9]+$/.test(age) ? parseInt(age, 10) : 0;
    }
    if (expires) {
        const at = Date.parse(expires);
        return isNaN(at) ? 0 : Math.max(0, Math.floor(at / 1000) - now);
    }
    return null;
}

/**
 * Seconds to keep an answer: null never, 0 keep but ask the origin each time.
 * headers: {cacheControl, expires}; policy: {minTtl, defaultTtl, maxTtl}; errorTtls: {code: seconds}; now: Unix seconds.
 */
function keepFor(status, headers, policy, errorTtls, now) {
    const control = directives(headers.cacheControl);
    const age = asked(control, headers.expires, now);
    if (status >= 400) {
        const configured = errorTtls[status];
        const least = configured === undefined ? DEFAULT_ERROR_TTL : configured;
        const wanted = age === null ? 0 : Math.min(age, policy.maxTtl);
        // ...and the other errors only when the origin gives them an age.
        if (configured === undefined && !ERRORS_ALWAYS_KEPT.includes(status) && !wanted) {
            return null;
        }
        return Math.max(least, wanted) || null;
    }
    if (!policy.maxTtl) {
        return null;
    }
    if (control['no-store'] !== undefined || control['no-cache'] !== undefined || control['private'] !== undefined) {
        return policy.minTtl || null;
    }
    return Math.max(policy.minTtl, Math.min(policy.maxTtl, age === null ? policy.defaultTtl : age));
}

// keepFor's answer in nginx's words; a past date means: keep it, stale from the start.
function accelExpires(seconds) {
    return seconds === null ? '0' : seconds === 0 ? '@1' : String(seconds);
}

export default {keepFor, accelExpires};
