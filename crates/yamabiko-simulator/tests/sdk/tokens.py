"""LINE's SDK for Python issues, verifies and revokes channel access tokens of all kinds."""

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from linebot.v3.messaging import ApiClient, ApiException, Configuration, MessagingApi
from linebot.v3.oauth import ApiClient as OAuthClient
from linebot.v3.oauth import ApiException as OAuthException
from linebot.v3.oauth import ChannelAccessToken
from linebot.v3.oauth import Configuration as OAuthConfiguration

from world import SECRET, SIMULATOR, TOKEN, SdkTest, control, main, tell

CHANNEL = "1234567890"
GRANT = "client_credentials"
BY_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
MONTH = 30 * 24 * 60 * 60


def assertion(headers=None, algorithm="RS256", **changed):
    """A JSON web token such as LINE wants, with some claims or headers changed."""
    now = control("GET", "/status")[1]["now"] // 1000
    claims = {"iss": CHANNEL, "sub": CHANNEL, "aud": "https://api.line.me/", "exp": now + 1800, "token_exp": 86_400}
    key = KEY if algorithm == "RS256" else "a secret of thirty-two characters"
    headers = {"kid": "536e453c-aa93-4449-8e58-add2608783c6", **(headers or {})}
    return jwt.encode({**claims, **changed}, key, algorithm=algorithm, headers=headers)


class Tokens(SdkTest):
    def setUp(self):
        super().setUp()
        client = OAuthClient(OAuthConfiguration(host=SIMULATOR))
        self.addCleanup(client.close)
        self.oauth = ChannelAccessToken(client)

    def assert_works(self, token, works=True):
        """The token must open LINE's API, or must not."""
        with ApiClient(Configuration(host=SIMULATOR, access_token=token)) as client:
            try:
                MessagingApi(client).get_bot_info()
                opened = True
            except ApiException as error:
                self.assertEqual(error.status, 401)
                opened = False
        self.assertEqual(opened, works)

    def denied(self, call, *args):
        with self.assertRaises(OAuthException) as caught:
            call(*args)
        self.assertEqual(caught.exception.status, 400, caught.exception.body)

    def by_jwt(self, **changed):
        return self.oauth.issue_channel_token_by_jwt(GRANT, BY_JWT, assertion(**changed))

    def test_a_stateless_token_lives_for_15_minutes(self):
        issued = self.oauth.issue_stateless_channel_token_by_client_secret(CHANNEL, SECRET)
        self.assertEqual((issued.token_type, issued.expires_in), ("Bearer", 900))
        self.assert_works(issued.access_token)
        tell("/clock", {"advanceSeconds": 899})
        self.assert_works(issued.access_token)
        tell("/clock", {"advanceSeconds": 1})
        self.assert_works(issued.access_token, False)

    def test_a_stateless_token_is_issued_for_a_json_web_token_too_and_never_revoked(self):
        issued = self.oauth.issue_stateless_channel_token_by_jwt_assertion(assertion())
        self.assertEqual(issued.expires_in, 900)
        self.oauth.revoke_channel_token(issued.access_token)
        self.assert_works(issued.access_token)

    def test_a_wrong_secret_gets_no_token(self):
        self.denied(self.oauth.issue_stateless_channel_token_by_client_secret, CHANNEL, "wrong")
        self.denied(self.oauth.issue_channel_token, GRANT, CHANNEL, "wrong")
        self.denied(self.oauth.issue_channel_token, "password", CHANNEL, SECRET)

    def test_a_short_lived_token_is_issued_verified_and_revoked(self):
        issued = self.oauth.issue_channel_token(GRANT, CHANNEL, SECRET)
        self.assertEqual((issued.token_type, issued.expires_in), ("Bearer", MONTH))
        self.assert_works(issued.access_token)
        verified = self.oauth.verify_channel_token(issued.access_token)
        self.assertEqual(verified.client_id, CHANNEL)
        self.assertTrue(MONTH - 60 < verified.expires_in <= MONTH)
        self.oauth.revoke_channel_token(issued.access_token)
        self.assert_works(issued.access_token, False)
        self.denied(self.oauth.verify_channel_token, issued.access_token)

    def test_tokens_of_the_other_kinds_live_for_30_days_or_as_long_as_was_asked_for(self):
        for issue, life in ((lambda: self.oauth.issue_channel_token(GRANT, CHANNEL, SECRET), MONTH),
                            (lambda: self.by_jwt(token_exp=3_600), 3_600)):
            token = issue()
            self.assertEqual(token.expires_in, life)
            tell("/clock", {"advanceSeconds": life - 60})
            self.assert_works(token.access_token)
            tell("/clock", {"advanceSeconds": 60})
            self.assert_works(token.access_token, False)

    def test_the_31st_short_lived_token_ends_the_first(self):
        first = self.oauth.issue_channel_token(GRANT, CHANNEL, SECRET).access_token
        tell("/clock", {"advanceSeconds": 1})
        last = [self.oauth.issue_channel_token(GRANT, CHANNEL, SECRET).access_token for _ in range(30)][-1]
        self.assert_works(first, False)
        self.assert_works(last)

    def test_a_token_of_version_2_1_is_issued_verified_and_revoked(self):
        issued = self.by_jwt()
        self.assertEqual((issued.token_type, issued.expires_in), ("Bearer", 86_400))
        self.assert_works(issued.access_token)
        verified = self.oauth.verify_channel_token_by_jwt(issued.access_token)
        self.assertEqual(verified.client_id, CHANNEL)
        self.assertTrue(86_400 - 60 < verified.expires_in <= 86_400)
        self.denied(self.oauth.revoke_channel_token_by_jwt, CHANNEL, "wrong", issued.access_token)
        self.assert_works(issued.access_token)
        self.oauth.revoke_channel_token_by_jwt(CHANNEL, SECRET, issued.access_token)
        self.assert_works(issued.access_token, False)
        self.denied(self.oauth.verify_channel_token_by_jwt, issued.access_token)

    def test_key_ids_name_the_valid_tokens_of_version_2_1(self):
        issued = [self.by_jwt(), self.by_jwt()]
        self.oauth.issue_channel_token(GRANT, CHANNEL, SECRET)
        ids = self.oauth.gets_all_valid_channel_access_token_key_ids(BY_JWT, assertion()).kids
        self.assertEqual(set(ids), {one.key_id for one in issued})
        self.oauth.revoke_channel_token_by_jwt(CHANNEL, SECRET, issued[0].access_token)
        ids = self.oauth.gets_all_valid_channel_access_token_key_ids(BY_JWT, assertion()).kids
        self.assertEqual(ids, [issued[1].key_id])

    def test_no_more_than_30_tokens_of_version_2_1_are_issued_until_some_have_ended(self):
        for _ in range(30):
            self.by_jwt()
        self.denied(lambda: self.by_jwt())
        tell("/clock", {"advanceSeconds": 86_400})
        self.by_jwt()

    def test_a_json_web_token_with_a_wrong_claim_gets_no_token(self):
        now = control("GET", "/status")[1]["now"] // 1000
        for wrong in ({"iss": "1"}, {"sub": "1"}, {"aud": "https://example.com/"}, {"exp": now - 1},
                      {"exp": now + 1900}, {"token_exp": MONTH + 1}, {"token_exp": "soon"}):
            with self.subTest(wrong):
                self.denied(lambda: self.by_jwt(**wrong))

    def test_a_json_web_token_of_another_kind_gets_no_token(self):
        for wrong in ({"algorithm": "HS256"}, {"headers": {"kid": ""}}, {"headers": {"typ": None}}):
            with self.subTest(wrong):
                self.denied(lambda: self.by_jwt(**wrong))

    def test_the_channels_long_lived_token_is_verified(self):
        verified = self.oauth.verify_channel_token(TOKEN)
        self.assertEqual(verified.client_id, CHANNEL)
        self.assertGreater(verified.expires_in, 0)

    def test_what_is_no_token_is_not_verified(self):
        self.denied(self.oauth.verify_channel_token, "wrong")
        self.denied(self.oauth.verify_channel_token_by_jwt, "wrong")


main()
