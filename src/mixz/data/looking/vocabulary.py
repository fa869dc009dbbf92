"""Words in the names of columns, and what they say: the vocabulary of other people's tables, in small letters."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ERRORS = _words(
    "err error errors errs sigma sig e unc uncert uncertainty rms std magerr magerror magsigma fluxerr fluxerror"
)
INVERSE_VARIANCES = _words("ivar invvar weight wht")
NOT_PHOTOMETRY = _words(
    "flag flags radius rad snr sn ratio mask frac fraction lim limit limits upper lower depth color colour abs "
    "absmag nobs count inputcount size fwhm apcor offset zp inst instflux seeing extendedness ext extinction ebv "
    "a dust reddening mw transmission"
)
"""Words of columns that come in bands and are no magnitudes or fluxes of galaxies."""
REDSHIFT = _words("z redshift redshifts zred")
SPECTRA = _words("spec specz zspec spectro spectroscopic zsp spz zs zhelio helio zcmb optspec")
GRISM = _words("grism zgrism")
TRUE = _words("true truth ztrue zcos cosmological sim")
MANY_BAND = _words("manyband many cosmos2015 cosmos2020 lp ultravista paus jpas 30bands 30band")
PHOTO = _words(
    "phot photo photoz zphot photz zphoto pz peak zpdf pdf zbest zml zmap zmc zmode mode zmedian median zmean "
    "mean bpz zbpz eazy ez lephare mizuki dnf annz mlz demp frankenz ephor knn gpz flexzboost bayes zb z500 z160 "
    "zmgn mgn"
)
PLAIN = _words("best final ref label value gal galaxy host obj object cat catalog catalogue cosmos zcosmos")
"""Words beside `REDSHIFT` that do not say of what kind it is, as no word beside it does not."""
NO_LABEL = _words(
    "low high lower upper lo hi l68 u68 l95 u95 l u min max p16 p84 q16 q84 flag flags quality qual q conf "
    "confidence warn warning zwarn zwarning std width nspec source name survey ra dec mag flux chi2 chisq prob "
    "odds bin zbin weight ref2 risk num number type id support phot_std member rms"
)
QUALITY = _words(
    "flag flags quality qual zquality q zq conf zconf confidence warn warning zwarn zwarning nq zflag homogeneous"
)
REDSHIFT_ALONE = _words(
    "specz zspec zsp spz zs zhelio zcmb zgrism ztrue zcosmos photoz zphot photz zphoto zpdf zbest zml zmap zmc "
    "zmode zmedian zmean zbpz z500 z160"
)
"""Words that say redshift all by themselves."""
EXTINCTION = _words("ebv ebmv sfd")
